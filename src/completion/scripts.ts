import { completeArgument, type Shell } from './shells.ts'

/** The names under which a shell knows the program. */
const names = ['dittofs-operator', 'kubectl-dittofs']

/**
 * The colon that begins the last line is followed by 0 if names of files are wanted. Bash splits words at `=`, so a candidate is shortened
 * by what stands before it.
 */
const bash = `# bash completion for ${names.join(' and ')}
_dittofs_operator () {
  local words=() word joined='' line current prefix=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $word == '=' && \${#words[@]} -gt 0 ]]; then
      words[\${#words[@]}-1]+='='
      joined=1
    elif [[ -n $joined ]]; then
      words[\${#words[@]}-1]+=$word
      joined=''
    else
      words+=("$word")
    fi
  done
  current=\${words[\${#words[@]}-1]}
  [[ $current == --*=* && $COMP_WORDBREAKS == *=* ]] && prefix=\${current%%=*}=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :0) compopt -o default 2>/dev/null ;;
      :*) compopt +o default 2>/dev/null ;;
      *)
        line=\${line%%$'\\t'*}
        COMPREPLY+=("\${line#"$prefix"}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" ${completeArgument} "\${words[@]}" 2>/dev/null)
}
complete -o default -F _dittofs_operator ${names.join(' ')}
`

const zsh = `#compdef ${names.join(' ')}
# zsh completion for ${names.join(' and ')}
_dittofs_operator () {
  local line word about files=''
  local -a described
  while IFS= read -r line; do
    case $line in
      :0) files=1 ;;
      :*) ;;
      *)
        word=\${line%%$'\\t'*} about=''
        [[ $line == *$'\\t'* ]] && about=\${line#*$'\\t'}
        described+=("\${word//:/\\\\:}:$about") ;;
    esac
  done < <("\${words[1]}" ${completeArgument} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if [[ -n $files ]]; then
    _files
  else
    _describe '' described
  fi
}
if [[ $funcstack[1] == _dittofs_operator ]]; then
  _dittofs_operator
else
  compdef _dittofs_operator ${names.join(' ')}
fi
`

const fish = `# fish completion for ${names.join(' and ')}
function __dittofs_operator_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] ${completeArgument} $words[2..] 2>/dev/null)
    if test "$line" = :0
      __fish_complete_path (commandline -ct)
    else if not string match -q ':*' -- $line
      echo $line
    end
  end
end
${names.map(name => `complete -c ${name} -f -a '(__dittofs_operator_complete)'`).join('\n')}
`

const scripts = { bash, zsh, fish } as const satisfies Record<Shell, string>

export const scriptFor = (shell: Shell): string => scripts[shell]

/** The program that kubectl asks for completions of the plugin. It must be on the PATH under this name. */
export const kubectlHelper = { file: 'kubectl_complete-dittofs', script: `#!/bin/sh\nexec kubectl-dittofs ${completeArgument} "$@"\n` }
