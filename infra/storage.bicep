metadata description = 'Two storage accounts without keys. One holds images and rows; the other is the Functions host\'s own and holds the deployed package: who may drop images must not be able to replace the code.'

@description('The region.')
param location string
@description('Tags of all resources.')
param tags object
@description('The account of images and rows.')
@minLength(3)
@maxLength(24)
param imagesAccountName string
@description('The account of the Functions host.')
@minLength(3)
@maxLength(24)
param hostAccountName string
@description('Where the deployed package is kept, in the host\'s account.')
param packageContainerName string
@description('Where Event Grid leaves what it could not deliver, in the account of images and rows.')
param deadLetterContainerName string
@description('Redundancy of the account of images and rows.')
param sku string
@description('Redundancy of the account of the Functions host.')
param hostSku string
@description('Whether the accounts answer only their private endpoints, allowedAddresses and Azure\'s trusted services.')
param isPrivate bool
@description('Public addresses, or CIDR blocks of them, that reach the account of images and rows all the same.')
param allowedAddresses string[]
@description('The key vault of the key that encrypts both accounts, such as https://example.vault.azure.net; empty: keys of Microsoft\'s.')
param encryptionVaultUri string
@description('The key\'s name.')
param encryptionKeyName string
@description('The resource id of the user-assigned identity that may use the key.')
param encryptionIdentityId string
@description('Whether the account of images and rows is locked against deletion.')
param isLocked bool
@description('How long what was deleted or overwritten can be restored, in days.')
param softDeleteDays int
@description('Which requests to the account of images and rows are logged.')
param logs ('StorageRead' | 'StorageWrite' | 'StorageDelete')[]
@description('The log workspace\'s resource id.')
param workspaceId string
@description('Who gets the data of the account of images and rows; empty: nobody.')
param deployerPrincipalId string
@description('What deployerPrincipalId is.')
param deployerPrincipalType string

// What the library calls them (functions/ImagesFunctions/Storage/StorageAccount.cs); the tests compare.
var containerNames = ['images', 'uploads', 'derived', 'catalog']
var tableNames = ['images', 'accounts']

var hasKey = !empty(encryptionVaultUri)

// The newest version of the key. Queues and tables are encrypted by the account's key only if the account was made so.
var encryption = {
  keySource: 'Microsoft.Keyvault'
  keyvaultproperties: { keyvaulturi: encryptionVaultUri, keyname: encryptionKeyName }
  identity: { userAssignedIdentity: encryptionIdentityId }
  services: {
    blob: { enabled: true, keyType: 'Account' }
    file: { enabled: true, keyType: 'Account' }
    queue: { enabled: true, keyType: 'Account' }
    table: { enabled: true, keyType: 'Account' }
  }
}

var keyIdentity = hasKey ? { type: 'UserAssigned', userAssignedIdentities: { '${encryptionIdentityId}': {} } } : null

// For both accounts.
var lockedDown = {
  accessTier: 'Hot'
  allowBlobPublicAccess: false
  allowCrossTenantReplication: false
  allowSharedKeyAccess: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  publicNetworkAccess: 'Enabled'
  supportsHttpsTrafficOnly: true
  ...(hasKey ? { encryption: encryption } : {})
}

// Without a virtual network Flex Consumption comes over public addresses; who it is is what counts. Event Grid writes dead letters
// as a trusted service.
var access = { bypass: 'AzureServices', defaultAction: isPrivate ? 'Deny' : 'Allow' }

var allowed = [for address in allowedAddresses: { value: address, action: 'Allow' }]

resource images 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: imagesAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  identity: keyIdentity
  properties: { ...lockedDown, networkAcls: { ...access, ...(isPrivate ? { ipRules: allowed } : {}) } }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      // No versioning: an overwritten blob leaves a soft-deleted snapshot all the same, and no versions to clean up.
      deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
      containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    }

    resource containers 'containers' = [
      for name in concat(containerNames, [deadLetterContainerName]): {
        name: name
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource tables 'tableServices' = {
    name: 'default'

    resource all 'tables' = [for name in tableNames: { name: name }]
  }

  // The only queue is the Functions host's, for blobs that failed five times; alerts.bicep counts on that.
  resource queues 'queueServices' = {
    name: 'default'

    resource poison 'queues' = { name: 'webjobs-blobtrigger-poison' }
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  name: 'keep'
  scope: images
  properties: { level: 'CanNotDelete', notes: 'Images and rows. Tables cannot be restored.' }
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: hostAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: hostSku }
  identity: keyIdentity
  properties: { ...lockedDown, networkAcls: access }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
      containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    }

    resource packages 'containers' = {
      name: packageContainerName
      properties: { publicAccess: 'None' }
    }
  }
}

var enabledLogs = [for category in logs: { category: category, enabled: true }]

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(logs)) {
  name: 'audit'
  scope: images::blobs
  properties: { workspaceId: workspaceId, logs: enabledLogs }
}

resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(logs)) {
  name: 'audit'
  scope: images::tables
  properties: { workspaceId: workspaceId, logs: enabledLogs }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(logs)) {
  name: 'audit'
  scope: images::queues
  properties: { workspaceId: workspaceId, logs: enabledLogs }
}

// Drop and restore images; make and revoke tokens; look at and empty the poison queue.
var deployerRoles = [
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
]

resource deployer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in deployerRoles: if (!empty(deployerPrincipalId)) {
    name: guid(images.id, deployerPrincipalId, role)
    scope: images
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: deployerPrincipalId
      principalType: deployerPrincipalType
    }
  }
]

@description('The blob endpoint of images.')
output blobServiceUri string = images.properties.primaryEndpoints.blob
@description('The table endpoint of rows.')
output tableServiceUri string = images.properties.primaryEndpoints.table
