using '../main.bicep'

// Mails, and instances that are always ready; what reviewers ask for is in reviewed.bicepparam.
param environmentName = 'images'
param location = 'westeurope'
param deployerPrincipalId = '11111111-1111-1111-1111-111111111111'
param alertEmail = 'operator@example.com'
param alwaysReadyHttp = 1
param alwaysReadyBlob = 1
