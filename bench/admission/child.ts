import type { AddressInfo } from 'node:net'

/** Between a server and the program that measures it: the key pair comes in through the environment, figures go out as messages. */
export const report = {
  tls: { cert: process.env.BENCH_CERT ?? '', key: process.env.BENCH_KEY ?? '', minVersion: 'TLSv1.2' as const },
  listening: (address: AddressInfo | string | null) => process.send?.({ port: (address as AddressInfo).port }),
}

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system, rss: process.memoryUsage().rss })
})
process.on('disconnect', () => process.exit(0))
