metadata description = 'Blobs that land in the container images call the function app. To be deployed after the code, and again whenever the key is rotated; repeating it changes nothing.'

@description('The function app.')
param functionAppName string
@description('The Event Grid system topic of the account of images.')
param topicName string

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

// The Functions host makes this key when it first starts with a blob trigger in it. It goes nowhere but into the
// subscription, which does not give it out again.
var key = listKeys('${app.id}/host/default', '2024-11-01').systemKeys.blobs_extension

resource landed 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'images-landed'
  properties: {
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.BlobLanded&code=${key}'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
        minimumTlsVersionAllowed: '1.2'
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/images/blobs/'
    }
    // The longest that Event Grid offers: a day.
    retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 }
    // Without it, Event Grid drops an event as soon as the host answers 400, 401, 403 or 413, for which it never tries again.
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: topic.properties.source
          blobContainerName: 'deadletters'
        }
      }
    }
  }
}

@description('The subscription.')
output name string = landed.name
