metadata description = 'A name of your own with a certificate that Azure issues and renews. To be deployed once, when the name leads to the app: docs/deploy.md. For a moment the name has no certificate, so not again.'

@description('The function app.')
param functionAppName string
@description('The name, such as images.example.com. A CNAME leads from it to the app, and a TXT record at asuid.<name> has the app\'s verification id.')
@minLength(4)
param publicHost string
@description('The region of the app.')
param location string

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName

  // Issued for a name that is bound.
  resource certificate 'certificates' = {
    name: replace(publicHost, '.', '-')
    location: location
    properties: { canonicalName: publicHost }
    dependsOn: [bound]
  }
}

module bound 'domain/name.bicep' = {
  name: 'domain-bound'
  params: { functionAppName: functionAppName, publicHost: publicHost, thumbprint: '' }
}

module secured 'domain/name.bicep' = {
  name: 'domain-secured'
  params: {
    functionAppName: functionAppName
    publicHost: publicHost
    thumbprint: app::certificate.properties.thumbprint
  }
}
