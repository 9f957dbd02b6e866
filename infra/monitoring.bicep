metadata description = 'The log workspace, and Application Insights on it. Both accept and answer Entra identities only.'

@description('The region.')
param location string
@description('Tags of all resources.')
param tags object
@description('The Log Analytics workspace.')
param workspaceName string
@description('The Application Insights component.')
param insightsName string
@description('How long rows are kept, in days.')
param retentionDays int
@description('GB a day; -1: no limit.')
param dailyCapGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyCapGb }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

@description('The workspace\'s resource id.')
output workspaceId string = workspace.id
