/** The part of a webhook configuration that says how its webhooks are called. */
export interface Configuration {
  readonly webhooks: readonly { readonly clientConfig: { readonly service?: { readonly path: string } } }[]
}

/** Webhook configurations that point to a process of this machine instead of a Service. A failed call is always visible. */
export const onLoopback = <Found extends Configuration>(configuration: Found, port: number): Found => ({
  ...configuration,
  webhooks: configuration.webhooks.map(webhook => ({
    ...webhook, failurePolicy: 'Fail', clientConfig: { url: `https://127.0.0.1:${port}${webhook.clientConfig.service?.path ?? ''}` },
  })),
})
