import { readFile, readdir } from 'node:fs/promises'

const MiB = 1024

/** Resident memory in MiB. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
export async function rssOf (pid = 0): Promise<number> {
  return Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / MiB
}

/**
 * User and system time of all threads, in seconds. Threads that compile code or collect garbage are included, because their time is part of
 * the cost. The time comes from the scheduler, which counts in nanoseconds; /proc/PID/stat counts in ticks of 10 ms. Threads that have
 * ended are missing, but the threads of Node live as long as the process.
 * https://docs.kernel.org/scheduler/sched-stats.html
 */
export async function cpuOf (pid = 0): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`)
  const times = await Promise.all(threads.map(async thread =>
    Number((await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')).split(' ')[0])))
  return times.reduce((sum, time) => sum + time, 0) / 1e9
}
