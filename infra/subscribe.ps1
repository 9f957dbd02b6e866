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

# What waiting does not mend, by Azure's own code: the reason, and what to do.
$remedies = [ordered]@{
  'AuthorizationFailed' = "you may not do this. It takes Contributor on the resource group $env:AZURE_RESOURCE_GROUP; of a right that you were given just now it may take minutes to hear"
  'RequestDisallowedByPolicy' = 'a policy of the subscription forbids it; the text above names the policy. Ask whoever assigned it for an exemption'
  'ScopeLocked' = 'a lock forbids it; the text above names the lock'
  'MissingSubscriptionRegistration' = 'the subscription does not know Event Grid: az provider register --namespace Microsoft.EventGrid --wait'
  'ResourceGroupNotFound|ParentResourceNotFound|SubscriptionNotFound' = 'the resources are not there, or in another subscription: azd provision, or step 1 of docs/deploy.md'
  'InvalidAuthenticationToken|ExpiredAuthenticationToken|az login' = 'your sign-in has ended: az login'
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
  foreach ($code in $remedies.Keys) {
    if ("$answer" -cmatch $code) {
      throw "$answer`nsubscribe: $($remedies[$code]). Then: azd hooks run postdeploy"
    }
  }
  if ($try -ge 12) {
    throw "$answer`nsubscribe: given up. Once the app answers at $env:IMAGES_URL/healthz: azd hooks run postdeploy"
  }
  Write-Output "subscribe: the app is not ready to be called (try $try of 12)."
  Start-Sleep -Seconds 20
}
