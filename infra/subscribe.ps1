# What subscribe.sh does, for Windows.
# Not 'Stop': Windows PowerShell would end at the first line that az writes to its error stream. `throw` ends it all the same.
$ErrorActionPreference = 'Continue'
$ProgressPreference = 'SilentlyContinue'
$PSNativeCommandUseErrorActionPreference = $false
foreach ($name in 'AZURE_SUBSCRIPTION_ID', 'AZURE_RESOURCE_GROUP', 'IMAGES_FUNCTION_APP', 'IMAGES_EVENT_TOPIC', 'IMAGES_URL') {
  if (-not [Environment]::GetEnvironmentVariable($name)) { throw "subscribe: $name is not set" }
}
Set-Location $PSScriptRoot

az account show --subscription $env:AZURE_SUBSCRIPTION_ID --output none
if ($LASTEXITCODE -ne 0) {
  throw 'subscribe: install the Azure CLI and sign in to this subscription (az login), then: azd hooks run postdeploy'
}

for ($try = 1; ; $try++) {
  # A request wakes the app: its host makes the key when it first starts, and has to answer Event Grid's handshake.
  try { Invoke-WebRequest "$env:IMAGES_URL/healthz" -UseBasicParsing -TimeoutSec 60 -ErrorAction Stop | Out-Null } catch { }
  $answer = az deployment group create --subscription $env:AZURE_SUBSCRIPTION_ID --resource-group $env:AZURE_RESOURCE_GROUP `
    --name subscription --template-file subscription.bicep `
    --parameters "functionAppName=$env:IMAGES_FUNCTION_APP" "topicName=$env:IMAGES_EVENT_TOPIC" --output none 2>&1
  if ($LASTEXITCODE -eq 0) {
    Write-Output "subscribe: blobs that land call $env:IMAGES_FUNCTION_APP now."
    break
  }
  if ($try -ge 12) {
    throw "$answer`nsubscribe: given up. Once the app answers at $env:IMAGES_URL/healthz: azd hooks run postdeploy"
  }
  Write-Output "subscribe: the app is not ready to be called (try $try of 12)."
  Start-Sleep -Seconds 20
}
