using 'main.bicep'

// azd sets the first four from its environment (`azd env set NAME value` for the others); without azd, set them yourself.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'images')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param deployerPrincipalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param deployerPrincipalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param alertEmail = readEnvironmentVariable('IMAGES_ALERT_EMAIL', '')
param storageSku = readEnvironmentVariable('IMAGES_STORAGE_SKU', 'Standard_ZRS')
param alwaysReadyHttp = int(readEnvironmentVariable('IMAGES_ALWAYS_READY', '0'))
