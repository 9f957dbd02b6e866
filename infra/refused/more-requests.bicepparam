using '../main.bicep'

// More requests at once, and nothing else changed.
param environmentName = 'images'
param location = 'westeurope'
param httpConcurrency = 4
