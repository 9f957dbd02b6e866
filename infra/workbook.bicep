metadata description = 'A page with requests, errors, the lag of ingest, storage and the sweeper. Only with workbook.'

@description('The region.')
param location string
@description('Tags of all resources.')
param tags object
@description('The Log Analytics workspace.')
param workspaceName string
@description('The account of images and rows.')
param imagesAccountName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource images 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: imagesAccountName
}

var page = loadTextContent('workbook.json')

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Azure wants a GUID.
  name: guid(workspace.id, 'images')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Images'
    category: 'workbook'
    sourceId: workspace.id
    version: 'Notebook/1.0'
    serializedData: replace(replace(page, '{workspace}', workspace.id), '{account}', images.id)
  }
}
