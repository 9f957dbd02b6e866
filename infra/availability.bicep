metadata description = 'Asks /healthz from five places every quarter of an hour, and wakes somebody when three get no answer. Only with availabilityTest.'

@description('The region of the test\'s description: that of the component.')
param location string
@description('Tags of all resources.')
param tags object
@description('The host that is asked.')
param host string
@description('The Application Insights component.')
param insightsName string
@description('Where alerts go; empty: nowhere.')
param actionGroupId string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// West Europe, North Europe, East US, West US, Southeast Asia.
var places = ['emea-nl-ams-azr', 'emea-gb-db3-azr', 'us-va-ash-azr', 'us-ca-sjc-azr', 'apac-sg-sin-azr']

resource test 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'images-healthz'
  location: location
  // The portal finds the test by the link.
  tags: union(tags, { 'hidden-link:${insights.id}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: 'images-healthz'
    SyntheticMonitorId: 'images-healthz'
    Description: 'The app answers.'
    Enabled: true
    Kind: 'standard'
    Frequency: 900
    // A cold start takes some seconds.
    Timeout: 60
    RetryEnabled: true
    Locations: [for place in places: { Id: place }]
    Request: {
      RequestUrl: 'https://${host}/healthz'
      HttpVerb: 'GET'
      ParseDependentRequests: false
      FollowRedirects: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 14
    }
  }
}

resource alert 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'images-unreachable'
  location: 'global'
  tags: tags
  properties: {
    description: 'Three of five places got no answer from /healthz: docs/operate.md, "Alerts".'
    severity: 1
    enabled: true
    scopes: [test.id, insights.id]
    evaluationFrequency: 'PT5M'
    // Each place asks once in it.
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: test.id
      componentId: insights.id
      failedLocationCount: 3
    }
    actions: empty(actionGroupId) ? [] : [{ actionGroupId: actionGroupId }]
  }
}
