using '../domain.bicep'

param functionAppName = 'func-images'
param publicHost = 'images.example.com'
param location = 'westeurope'
