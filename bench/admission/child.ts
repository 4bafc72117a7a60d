import type { AddressInfo } from 'node:net'

/** Connects a server to the program that measures it. The key pair comes from environment variables. Figures are sent as messages. */
export const report = {
  tls: { cert: process.env.BENCH_CERT ?? '', key: process.env.BENCH_KEY ?? '', minVersion: 'TLSv1.2' as const },
  listening: (address: AddressInfo | string | null) => process.send?.({ port: (address as AddressInfo).port }),
}

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system, rss: process.memoryUsage().rss })
})
process.on('disconnect', () => process.exit(0))
