import type { Pane, ServerTrial, Trial } from '../../contract.ts'
import { element } from '../element.ts'
import { defaultedPane } from './defaulted.ts'
import { effectsPane } from './effects.ts'
import { objectsPane } from './objects.ts'
import { picturePane } from './picture.ts'
import { verdictPane } from './verdict.ts'

export interface Actions { readonly goTo: (line: number, column: number) => void, readonly pin: () => void }

/**
 * The content of a pane. Of several servers, all but the verdict show the one at the cursor. Undefined: the answer does not contain it yet.
 */
export function paneOf (id: Pane, trial: Trial, server: ServerTrial | undefined, { goTo, pin }: Actions): HTMLElement[] | undefined {
  if (id === 'verdict') return verdictPane(trial, goTo)
  if (!server) return [element('p', { class: 'empty' }, 'The document contains no DittoServer.')]
  const which = trial.servers.length > 1 ? [element('p', { class: 'which' }, 'At the cursor: ', element('strong', {}, server.name))] : []
  const content = contentOf(id, server, pin)
  return content && [...which, ...content]
}

export type PaneOf = typeof paneOf

function contentOf (id: Exclude<Pane, 'verdict'>, server: ServerTrial, pin: () => void): HTMLElement[] | undefined {
  const { defaulted, objects, picture, name } = server
  switch (id) {
    case 'defaulted': return defaulted && defaultedPane(defaulted)
    case 'objects': return objects && objectsPane(server, objects)
    case 'picture': return picture && picturePane(picture, name)
    case 'effects': return effectsPane(server, pin)
  }
}
