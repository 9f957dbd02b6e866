using '../main.bicep'

// Everything that is optional is on, so that the snapshot shows all of it.
param environmentName = 'images'
param location = 'westeurope'
param deployerPrincipalId = '11111111-1111-1111-1111-111111111111'
param alertEmail = 'operator@example.com'
param alwaysReadyHttp = 1
param alwaysReadyBlob = 1
