using 'main.bicep'

// From environment variables. azd sets the name, the region and who deploys; `azd env set NAME value` sets the others.
// Without azd, export them: docs/deploy.md. The first two have no default, so that nothing lands where nobody meant it.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param deployerPrincipalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param deployerPrincipalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param alertEmail = readEnvironmentVariable('IMAGES_ALERT_EMAIL', '')
param storageSku = readEnvironmentVariable('IMAGES_STORAGE_SKU', 'Standard_ZRS')
param alwaysReadyHttp = int(readEnvironmentVariable('IMAGES_ALWAYS_READY', '0'))
param alwaysReadyBlob = int(readEnvironmentVariable('IMAGES_ALWAYS_READY_BLOB', '0'))
param maximumInstanceCount = int(readEnvironmentVariable('IMAGES_MAX_INSTANCES', '100'))
param privateNetworking = bool(readEnvironmentVariable('IMAGES_PRIVATE', 'false'))
param zoneRedundant = bool(readEnvironmentVariable('IMAGES_ZONE_REDUNDANT', 'false'))
param lockStorage = bool(readEnvironmentVariable('IMAGES_LOCK', 'false'))
param availabilityTest = bool(readEnvironmentVariable('IMAGES_AVAILABILITY_TEST', 'false'))
param workbook = bool(readEnvironmentVariable('IMAGES_WORKBOOK', 'false'))
param publicHost = readEnvironmentVariable('IMAGES_PUBLIC_HOST', '')
param encryptionVaultUri = readEnvironmentVariable('IMAGES_KEY_VAULT', '')
param encryptionKeyName = readEnvironmentVariable('IMAGES_KEY_NAME', '')
param encryptionIdentityId = readEnvironmentVariable('IMAGES_KEY_IDENTITY', '')
