import { setImmediate as turn } from 'node:timers/promises'
import type { Test } from 'tap'
import { parseBundle } from '../../../src/tls/self/ca-bundle.ts'
import { SelfSource, type SelfSourceOptions } from '../../../src/tls/self/self-source.ts'
import type { SecretFields } from '../../../src/tls/self/secret-contents.ts'
import type { SecretStore, StoredSecret } from '../../../src/tls/self/secret-store.ts'
import type { WebhookTrust, WebhookTrustStore } from '../../../src/tls/self/webhook-trust.ts'

/** A Secret and two webhook configurations with the API server's rules for writes, its answers coming in any order, and a clock. */
export class SimulatedCluster {
  now = new Date('2030-01-01T00:00:00Z')
  secret: StoredSecret | undefined
  configurations: WebhookTrust[] = ['first', 'second'].map(title => configuration(title, ''))
  writes = 0
  lost = 0
  fault: Error | undefined
  readonly #random: () => number

  constructor (random: () => number = () => 0) {
    this.#random = random
  }

  async #answer (): Promise<void> {
    for (let turns = Math.floor(this.#random() * 4); turns >= 0; turns--) await turn()
    if (this.fault) throw this.fault
  }

  readonly secrets: SecretStore = {
    read: async () => {
      await this.#answer()
      return this.secret
    },
    write: async ({ data, annotations }, previous) => {
      await this.#answer()
      if (previous !== this.secret) {
        this.lost++
        return undefined
      }
      this.writes++
      this.secret = { data, annotations }
      return this.secret
    },
  }

  readonly webhooks: WebhookTrustStore = {
    read: async () => {
      await this.#answer()
      return this.configurations
    },
    inject: async (trust, caBundle) => {
      await this.#answer()
      const index = this.configurations.findIndex(({ title }) => title === trust.title)
      if (this.configurations[index]?.resourceVersion !== trust.resourceVersion) {
        this.lost++
        return undefined
      }
      const next = { ...trust, resourceVersion: String(Number(trust.resourceVersion) + 1), webhooks: [{ name: 'only', caBundle }] }
      this.configurations = this.configurations.with(index, next)
      return next
    },
  }

  /** As somebody else would. */
  edit (change: (fields: SecretFields) => SecretFields | undefined): void {
    if (this.secret) this.secret = change(this.secret)
  }

  overwrite (title: string, change: Partial<WebhookTrust>): void {
    this.configurations = this.configurations.map(one =>
      one.title === title ? { ...one, ...change, resourceVersion: String(Number(one.resourceVersion) + 1) } : one)
  }

  pass (milliseconds: number): void {
    this.now = new Date(this.now.getTime() + milliseconds)
  }

  /** The CAs that both configurations trust. */
  trusted (): Set<string> {
    const [one = [], other = []] = this.configurations.map(({ webhooks }) => parseBundle(webhooks[0]?.caBundle ?? '').map(({ fingerprint256 }) => fingerprint256))
    return new Set(one.filter(fingerprint => other.includes(fingerprint)))
  }

  /** Of each configuration, how many CAs it trusts. */
  bundles (): number[] {
    return this.configurations.map(({ webhooks }) => parseBundle(webhooks[0]?.caBundle ?? '').length)
  }

  /** A replica that looks only when told to. */
  replica (t: Test, options: Partial<SelfSourceOptions> = {}) {
    const lines: { level: string, fields: Record<string, unknown>, msg: string }[] = []
    const at = (level: string) => (fields: unknown, msg?: string) => {
      lines.push(typeof fields === 'string' ? { level, fields: {}, msg: fields } : { level, fields: fields as Record<string, unknown>, msg: msg ?? '' })
    }
    const rotated = { ca: 0, certificate: 0 }
    const source = new SelfSource({
      secrets: this.secrets,
      webhooks: this.webhooks,
      names: ['hook', 'hook.system.svc'],
      log: { info: at('info'), warn: at('warn'), error: at('error') },
      now: () => this.now,
      onRotated: part => { rotated[part]++ },
      ...options,
    })
    t.teardown(async () => { await source.stop() })
    const said = (msg: RegExp) => lines.filter(line => msg.test(line.msg))
    return { source, lines, said, rotated, look: async () => await source.look(), serial: () => source.current()?.serial }
  }
}

/** The second is the validating one. */
const configuration = (title: string, caBundle: string): WebhookTrust =>
  ({ title, isRequired: title === 'second', exists: true, foreign: false, resourceVersion: '1', webhooks: [{ name: 'only', caBundle }] })
