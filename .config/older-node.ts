import { X509Certificate } from 'node:crypto'
import workerThreads from 'node:worker_threads'
import zlib from 'node:zlib'

// Functions that the program and its dependencies use and that Node 20 does not have. The bundle runs this file first. The image and the
// tests use Node 24.

Promise.withResolvers ??= function withResolvers<T> (this: PromiseConstructor) {
  let resolve!: (value: T | PromiseLike<T>) => void
  let reject!: (reason?: unknown) => void
  const promise = new this<T>((...settle) => { [resolve, reject] = settle })
  return { promise, resolve, reject }
}

Map.groupBy ??= function groupBy<K, V> (items: Iterable<V>, keyOf: (item: V, index: number) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>()
  let index = 0
  for (const item of items) {
    const key = keyOf(item, index++)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

// undici marks objects that must not be sent to another thread; there are no threads here.
workerThreads.markAsUncloneable ??= () => {}

// undici reads this when it is loaded, and calls it only for zstd answers, which are never requested from an API server.
zlib.createZstdDecompress ??= () => { throw new Error('zstd needs Node 22.15 or newer') }

// The sandbox runs the operator with a certificate of its own.
for (const [name, text] of [['validFromDate', 'validFrom'], ['validToDate', 'validTo']] as const) {
  if (name in X509Certificate.prototype) continue
  Object.defineProperty(X509Certificate.prototype, name, { get (this: X509Certificate) { return new Date(this[text]) } })
}
