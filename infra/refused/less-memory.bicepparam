using '../main.bicep'

// Less memory, and nothing else changed.
param environmentName = 'images'
param location = 'westeurope'
param instanceMemoryMB = 2048
