import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import type { Answer, Began, Order } from './worker.ts'

export interface Loaded {
  readonly sources: ReadonlyMap<string, string>
  readonly fresh: ReadonlySet<string>
  readonly mostHits?: number
}

/** Reloaded modules are never freed: after this number of mutants, a thread uses too much memory. */
const mostOrders = 80

/** One thread that runs tests, and another one whenever it hangs. */
export class Runner {
  readonly #loaded: Loaded
  #worker: Worker | undefined
  #port: MessagePort | undefined
  #orders = 0

  constructor (loaded: Loaded) {
    this.#loaded = loaded
  }

  /** `hung`: a test file exceeded its time limit, in milliseconds. `died`: the thread ended unexpectedly. */
  async carryOut (order: Order, longest: (file: string) => number): Promise<Answer | 'hung' | 'died'> {
    if (this.#orders++ % mostOrders === 0) await this.stop()
    const [worker, port] = this.#start()
    const { promise, resolve } = Promise.withResolvers<Answer | 'hung' | 'died'>()
    const died = () => { resolve('died') }
    const late = () => { resolve('hung') }
    // The thread has to start, too.
    let timer = setTimeout(late, 60_000)
    const onMessage = (message: Answer | Began) => {
      if (!('began' in message)) return resolve(message)
      clearTimeout(timer)
      timer = setTimeout(late, longest(message.began))
    }
    port.on('message', onMessage)
    worker.once('error', died)
    worker.once('exit', died)
    port.postMessage(order)
    const answer = await promise
    clearTimeout(timer)
    port.off('message', onMessage)
    worker.off('error', died)
    worker.off('exit', died)
    if (typeof answer === 'string') await this.stop()
    return answer
  }

  async stop (): Promise<void> {
    this.#worker?.on('error', () => {})
    await this.#worker?.terminate()
    this.#port?.close()
    this.#worker = undefined
    this.#port = undefined
  }

  #start (): [Worker, MessagePort] {
    if (this.#worker && this.#port) return [this.#worker, this.#port]
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#worker = new Worker(new URL('worker.ts', import.meta.url), {
      workerData: { ...this.#loaded, port: port2 }, transferList: [port2], stdout: true, stderr: true, execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    return [this.#worker, port1]
  }
}
