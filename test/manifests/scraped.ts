import { job } from '../../src/manifests/install/alerts.ts'
import { createMetrics, type Metrics } from '../../src/metrics.ts'

/** The activity of a process in each interval between two scrapes: increments of counters, and values of gauges. */
export type Behaviour = (metrics: Metrics) => void

export interface Phase {
  readonly minutes: number
  readonly does?: Behaviour
  /** It begins with a new process of the same pod. */
  readonly restarted?: boolean
  /** `down` cannot be scraped any more; `gone` is no longer a target. */
  readonly state?: 'up' | 'down' | 'gone'
}

/** A series of promtool: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series */
export interface Series { readonly series: string, readonly values: string }

export const scrapeInterval = '30s'
const scrapesPerMinute = 2

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly grows: boolean
}

/** The metrics of the program after `does`, without those of Node. */
async function exported (does: Behaviour): Promise<Sample[]> {
  const metrics = createMetrics()
  does(metrics)
  const all = await metrics.registry.getMetricsAsJSON()
  const own = all.filter(({ name }) => !/^(nodejs|process)_/.test(name))
  return own.flatMap(({ name, type, values }) => values.map(({ value, labels, ...rest }) => ({
    // For a histogram, each value says whether it belongs to a bucket, the sum or the count.
    name: (rest as { metricName?: string }).metricName ?? name,
    labels: labels as Sample['labels'],
    value,
    // Its type says a number, and holds a word.
    grows: String(type) !== 'gauge',
  })))
}

const seriesName = (name: string, labels: Sample['labels']) =>
  `${name}{${Object.entries(labels).map(([key, value]) => `${key}="${value}"`).join(',')}}`

const pieceOf = (sample: Sample | undefined, before: number, scrapes: number) => {
  // Prometheus marks series that have disappeared in this way.
  if (!sample) return { piece: `stale _x${scrapes - 1}`, total: before }
  const { value, grows } = sample
  if (!grows) return { piece: `${value}x${scrapes - 1}`, total: 0 }
  return { piece: `${before + value}+${value}x${scrapes - 1}`, total: before + value * scrapes }
}

/** The series of a process in Prometheus after its phases. */
export async function scraped (pod: string, phases: readonly Phase[], itsJob = job): Promise<Series[]> {
  const target = { job: itsJob, namespace: 'dittofs-system', pod, instance: `${pod}:8081` }
  const samples = await Promise.all(phases.map(async ({ does = () => {}, state = 'up' }) => {
    const up = state === 'gone' ? [] : [{ name: 'up', labels: {}, value: state === 'up' ? 1 : 0, grows: false }]
    const own = state === 'up' ? await exported(does) : []
    return new Map([...up, ...own].map(sample => [seriesName(sample.name, { ...sample.labels, ...target }), sample]))
  }))
  const names = new Set(samples.flatMap(phase => [...phase.keys()]))
  return [...names].map(series => {
    let total = 0
    const values = phases.map(({ minutes, restarted }, index) => {
      const next = pieceOf(samples[index]?.get(series), restarted ? 0 : total, minutes * scrapesPerMinute)
      total = next.total
      return next.piece
    })
    return { series, values: values.join(' ') }
  })
}
