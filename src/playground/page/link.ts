/** The document, and the running one that it edits, in the fragment of the address. It never reaches a server. */
export interface Linked { readonly text: string, readonly running?: string }

export async function toFragment (linked: Linked): Promise<string> {
  const bytes = await transformed(new TextEncoder().encode(JSON.stringify(linked)), new CompressionStream('deflate-raw'))
  const binary = Array.from(bytes, byte => String.fromCharCode(byte)).join('')
  return `#${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** Undefined: the fragment is something else, or damaged. */
export async function fromFragment (fragment: string): Promise<Linked | undefined> {
  if (!/^#[\w-]{8,}$/.test(fragment)) return undefined
  try {
    const binary = atob(fragment.slice(1).replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, character => character.charCodeAt(0))
    const text = new TextDecoder().decode(await transformed(bytes, new DecompressionStream('deflate-raw')))
    const found = JSON.parse(text) as Partial<Linked> | null
    if (typeof found?.text !== 'string') return undefined
    return typeof found.running === 'string' ? { text: found.text, running: found.running } : { text: found.text }
  } catch {
    return undefined
  }
}

type Bytes = Uint8Array<ArrayBuffer>

async function transformed (bytes: Bytes, through: CompressionStream | DecompressionStream): Promise<Bytes> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(through)).arrayBuffer())
}
