import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BundledPackage, PackageJson } from './bundled-packages.ts'

const isLicense = (file: string) => /^(licen[cs]e|copying|notice|third[-_]?party)([-_.].*)?$/i.test(file) && !/\.[cm]?[jt]s$/.test(file)

const authorOf = ({ author }: PackageJson) => typeof author === 'string' ? author : author?.name

/** @throws {Error} if the package does not declare a licence */
async function section ({ folder, manifest }: BundledPackage): Promise<string> {
  const { name, version, license } = manifest
  if (license === undefined) throw new Error(`${name} ${version}: its package.json names no licence`)
  const files = (await readdir(folder)).filter(isLicense).sort()
  const texts = await Promise.all(files.map(async file => (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n').trim()))
  const text = texts.length > 0 ? texts.join('\n\n') : `The package comes without a licence text. Author: ${authorOf(manifest) ?? 'not named'}.`
  return `${name} ${version}\nLicence: ${license}\n\n${text}\n`
}

/** The licences of the packages in the bundle, with their original texts. */
export async function thirdPartyLicenses (packages: readonly BundledPackage[]): Promise<string> {
  const rule = `\n${'-'.repeat(80)}\n\n`
  // A package version that is in two folders has one section.
  const sections = [...new Set(await Promise.all(packages.map(section)))]
  return [`The program contains these ${sections.length} packages, each under its own licence.\n`, ...sections].join(rule)
}
