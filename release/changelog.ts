/** The section of the changelog for a version; undefined if there is none. */
export function changesOf (changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find(text => /^\[?([^\]\s]+)/.exec(text)?.[1] === version)
  return section?.slice(section.indexOf('\n')).trim() || undefined
}
