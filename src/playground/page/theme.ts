const key = 'theme'
const dark = matchMedia('(prefers-color-scheme: dark)')

/** As the system, until the button is pressed; then as chosen. */
export function theme (button: HTMLElement): void {
  const chosen = () => localStorage.getItem(key) ?? undefined
  const isDark = () => chosen() === undefined ? dark.matches : chosen() === 'dark'
  const show = () => {
    document.documentElement.dataset.theme = isDark() ? 'dark' : 'light'
    button.textContent = isDark() ? 'Light theme' : 'Dark theme'
  }
  button.addEventListener('click', () => {
    localStorage.setItem(key, isDark() ? 'light' : 'dark')
    show()
  })
  dark.addEventListener('change', show)
  show()
}
