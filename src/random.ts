/** A number in [0, 1), for jitter and names. Never used for secrets. */
export type Random = () => number

export const systemRandom: Random = Math.random
