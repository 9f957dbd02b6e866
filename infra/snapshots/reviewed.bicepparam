using '../main.bicep'

// What reviewers ask for, all of it on; main.bicepparam has it off.
param environmentName = 'images'
param location = 'westeurope'
param alertEmail = 'operator@example.com'
param alwaysReadyHttp = 1
param privateNetworking = true
param allowedAddresses = ['192.0.2.7', '198.51.100.0/24']
param zoneRedundant = true
param rollingUpdates = true
param encryptionVaultUri = 'https://example.vault.azure.net'
param encryptionKeyName = 'images'
param encryptionIdentityId = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-keys/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-keys'
param lockStorage = true
param availabilityTest = true
param workbook = true
param publicHost = 'images.example.com'
