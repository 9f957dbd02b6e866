metadata description = 'The Event Grid topic of the account of images, with the right to keep what it cannot deliver. Its subscription is subscription.bicep: that needs a key which exists only once the code is deployed.'

@description('The region: that of the account.')
param location string
@description('Tags of all resources.')
param tags object
@description('The system topic. An account has only one.')
param topicName string
@description('The account of images and rows.')
param imagesAccountName string
@description('Where Event Grid leaves what it could not deliver.')
param deadLetterContainerName string
@description('The log workspace\'s resource id.')
param workspaceId string

resource images 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: imagesAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = { name: deadLetterContainerName }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: topicName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: images.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource onDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(images::blobs::deadLetters.id, topic.id, storageBlobDataContributor)
  scope: images::blobs::deadLetters
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

resource topicLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'failures'
  scope: topic
  properties: { workspaceId: workspaceId, logs: [{ category: 'DeliveryFailures', enabled: true }] }
}
