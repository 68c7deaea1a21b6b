// What the pages do better with a script. All of it works without: forms are sent, links are followed.

const parse = text => new DOMParser().parseFromString(text, 'text/html')

/** <form data-stay>: is sent without leaving the page, which becomes what it would have become, with the focus where it was. */
document.addEventListener('submit', async event => {
  const { target: form, submitter: button } = event
  if (!form.matches('[data-stay]')) return
  event.preventDefault()
  if (button.ariaBusy === 'true') return
  button.ariaBusy = 'true'
  const address = button.getAttribute('formaction') ?? form.action
  try {
    const body = new URLSearchParams(new FormData(form))
    if (button.name) body.append(button.name, button.value)
    const response = await fetch(address, { method: 'POST', body })
    if (response.redirected && new URL(response.url).pathname !== location.pathname) return location.assign(response.url)
    become(parse(await response.text()))
  } catch {
    button.ariaBusy = null
    delete form.dataset.stay
    form.requestSubmit(button) // the browser knows better what to say of the network
  }
})

function become (page) {
  const { id } = document.activeElement
  document.title = page.title
  document.querySelector('main').replaceWith(page.querySelector('main'))
  const again = document.querySelector('main [aria-invalid]') ?? (id && document.getElementById(id))
  if (again) return again.focus({ preventScroll: true })
  const heading = document.querySelector('main h1')
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}

document.addEventListener('click', async event => {
  const link = event.target.closest?.('a')
  if (link?.matches('[data-dialog]') && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault()
    ask(link.href)
  } else if (link?.closest('dialog') && link.matches('[data-close]')) {
    event.preventDefault()
    link.closest('dialog').close()
  }
})

/** <a data-dialog>: the page that it leads to is asked in front of this one. The browser keeps the focus in it, and gives it back. */
async function ask (address) {
  try {
    const response = await fetch(address)
    if (!response.ok || response.redirected) return location.assign(address)
    const dialog = document.createElement('dialog')
    dialog.append(...parse(await response.text()).querySelector('main').children)
    const heading = dialog.querySelector('h1')
    heading.id = 'dialog-title'
    dialog.setAttribute('aria-labelledby', heading.id)
    dialog.addEventListener('close', () => dialog.remove())
    document.body.append(dialog)
    dialog.showModal()
  } catch {
    location.assign(address)
  }
}

/** <input data-copy>: what has to be taken elsewhere can be copied. */
for (const input of document.querySelectorAll('[data-copy]')) {
  const button = document.createElement('button')
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    input.select()
    await navigator.clipboard.writeText(input.value)
    button.textContent = 'Copied'
  })
  input.after(button)
}

/** What has just been done is said once, and not again when the page is reloaded. */
const address = new URL(location)
if (address.searchParams.has('notice')) {
  address.searchParams.delete('notice')
  history.replaceState(null, '', address)
}
