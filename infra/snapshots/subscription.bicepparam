using '../subscription.bicep'

param functionAppName = 'func-images'
param topicName = 'evgt-images'
