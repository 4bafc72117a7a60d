import { isIP } from 'node:net'
import { InvalidArgumentError, Option } from 'commander'
import { parsePolicy } from '../rules/policy.ts'
import { UsageError } from './fault.ts'

// The format of settings as flags and as environment variables.

/** Every setting is a flag and an environment variable: `--tls-dir` is DITTOFS_OPERATOR_TLS_DIR. */
export function setting (flags: string, description: string): Option {
  const name = /--([a-z-]+)/.exec(flags)?.[1] ?? ''
  return new Option(flags, description).env(`DITTOFS_OPERATOR_${name.toUpperCase().replaceAll('-', '_')}`)
}

const truths: Readonly<Record<string, boolean>> = {
  true: true, yes: true, on: true, 1: true, false: false, no: false, off: false, 0: false,
}

/**
 * Removes variables that must not count from an environment: empty variables, and variables of flags without a value that are set to false,
 * which commander would treat as true. @throws {UsageError} for a value that is neither true nor false
 */
export function tidyEnvironment (options: readonly Option[], environment: NodeJS.ProcessEnv): void {
  for (const { envVar, required, optional } of options) {
    const value = envVar === undefined ? undefined : environment[envVar]?.trim()
    if (envVar === undefined || value === undefined) continue
    const truth = required || optional ? value !== '' : value === '' ? false : truths[value.toLowerCase()]
    if (truth === undefined) throw new UsageError(`${envVar}: '${value}' is neither true nor false`)
    if (!truth) Reflect.deleteProperty(environment, envVar)
  }
}

export const wholeNumber = (least: number, most: number) => (text: string): number => {
  const value = Number(text)
  if (!/^[0-9]+$/.test(text) || value < least || value > most) {
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
  return value
}

export const port = wholeNumber(0, 65535)

export function ruleOverrides (text: string, previous: readonly string[] = []): string[] {
  const overrides = [...previous, ...text.split(',').map(part => part.trim()).filter(Boolean)]
  const odd = overrides.find(override => override.split('=').length > 2)
  if (odd !== undefined) throw new InvalidArgumentError(`'${odd}': one rule and one severity, such as PORT-CONFLICT=deny`)
  try {
    parsePolicy(overrides)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
  return overrides
}

const hostName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/

export function hostNames (text: string): string[] {
  const names = text.split(',').map(name => name.trim()).filter(Boolean)
  const wrong = names.find(name => isIP(name) === 0 && !hostName.test(name))
  if (wrong !== undefined) throw new InvalidArgumentError(`'${wrong}' is neither a host name nor an address.`)
  return names
}

const timeNames = ['caLifetime', 'caRenewal', 'certificateLifetime', 'certificateRenewal', 'overlap', 'settle', 'pollInterval']

export function rotationTimes (text: string): Record<string, number> {
  const entries = text.split(',').map(part => part.trim().split('='))
  for (const [name = '', value = ''] of entries) {
    if (!timeNames.includes(name) || !(Number(value) > 0)) throw new InvalidArgumentError(`'${name}=${value}' is not a time.`)
  }
  return Object.fromEntries(entries.map(([name = '', value = '']) => [name, Number(value)]))
}

export const rule = () => setting('--rule <id=severity>', 'severity of a rule: deny, warn or off; repeatable, or separated by commas').argParser(ruleOverrides)

/** How a command finds its cluster without --kubeconfig. */
export const defaultCluster = 'KUBECONFIG, then ~/.kube/config, then the account of the pod'

/** A flag that may be repeated. */
export const repeatable = (flags: string, description: string) =>
  new Option(flags, description).argParser((value: string, previous: readonly string[] = []) => [...previous, value])
