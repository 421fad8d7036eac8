// A person at a browser: keeps cookies, follows redirects, and fills in the real forms of the pages.

const MOST_STEPS = 25

/** Signs in at the stand-in as Nick Lucas and allows what is asked. */
export class Person {
  constructor({ issuer, github }) {
    this.issuer = issuer
    this.github = github
    this.cookies = new Map()
    /** How often they allowed something. */
    this.answers = 0
  }

  /** Opens an authorization URL and goes on until the client's own page answers; gives that page. */
  async allow(url) {
    let page = await this.open(url)
    for (let step = 0; step < MOST_STEPS; step++) {
      const form = this.nextForm(page)
      if (!form) return page
      page = await this.send(page, form)
    }
    throw new Error(`the sign-in does not end; it stands at ${page.url}`)
  }

  /** Takes back, at the account page, everything that programs were allowed. */
  async disconnectEverything() {
    const revocations = (page) => formsOf(page.html).filter((form) => form.action === '/account/revoke')
    let page = await this.open(`${this.issuer}/account`)
    let [form] = revocations(page)
    if (!form) throw new Error(`no program is connected at ${page.url} (${page.status})`)
    for (; form; [form] = revocations(page)) page = await this.send(page, form)
  }

  /** Follows a URL to the page that it leads to. */
  async open(url) {
    return this.follow(new URL(url), { method: 'GET' })
  }

  /** Sends a form of a page, with the fields it has and the button's own. */
  async send(page, form) {
    return this.follow(new URL(form.action, page.url), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(page.url).origin },
      body: new URLSearchParams(form.fields).toString(),
    })
  }

  /** What a person would press: the provider, their own name, Allow. Undefined on any other site's page. */
  nextForm(page) {
    const forms = formsOf(page.html)
    const press = (form, name, value) => form && { action: form.action, fields: [...form.fields, [name, value]] }
    if (page.url.startsWith(this.github)) {
      return press(forms.find((form) => has(form.buttons, 'user', 'nick-lucas')), 'user', 'nick-lucas')
    }
    if (!page.url.startsWith(this.issuer)) return undefined
    const consent = forms.find((form) => has(form.buttons, 'decision', 'allow'))
    if (consent) {
      this.answers += 1
      return press(consent, 'decision', 'allow')
    }
    const provider = forms.find((form) => form.action.includes('/sign-in/'))
    if (provider) return provider
    throw new Error(`there is nothing to press at ${page.url} (${page.status}):\n${textOf(page.html)}`)
  }

  async follow(url, request) {
    for (let step = 0; step < MOST_STEPS; step++) {
      const answer = await this.fetch(url, request)
      const location = answer.headers.get('location')
      if (answer.status < 300 || answer.status > 399 || !location) {
        return { url: url.href, status: answer.status, html: await answer.text() }
      }
      url = new URL(location, url)
      request = { method: 'GET' }
    }
    throw new Error(`too many redirects, the last to ${url}`)
  }

  async fetch(url, { headers = {}, ...request }) {
    const jar = this.cookies.get(url.host) ?? new Map()
    this.cookies.set(url.host, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await retried(() =>
      fetch(url, {
        ...request,
        redirect: 'manual',
        headers: { accept: 'text/html', ...headers, ...(cookie && { cookie }) },
      }),
    )
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';')
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute))) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }
}

/** Some clients open the browser first and listen afterwards. */
async function retried(send) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await send()
    } catch (error) {
      if (attempt === 20) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** The forms of a page: action, fields as they stand, and buttons with a name. */
export function formsOf(html) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, attributes, body]) => {
    const inputs = [...body.matchAll(/<input\b([^>]*)>/gi)].map(([, input]) => attributesOf(input))
    const chosen = inputs.filter((input) => !['checkbox', 'radio'].includes(input.type) || 'checked' in input)
    return {
      action: attributesOf(attributes).action ?? '',
      fields: chosen.filter((input) => input.name).map((input) => [input.name, input.value ?? '']),
      buttons: [...body.matchAll(/<button\b([^>]*)>/gi)].map(([, button]) => attributesOf(button)),
    }
  })
}

function has(buttons, name, value) {
  return buttons.some((button) => button.name === name && button.value === value)
}

function attributesOf(text) {
  const pairs = [...text.matchAll(/([\w-]+)(?:="([^"]*)")?/g)]
  return Object.fromEntries(pairs.map(([, name, value]) => [name.toLowerCase(), decoded(value ?? '')]))
}

function decoded(text) {
  const named = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" }
  return text.replace(/&(#?\w+);/g, (whole, name) => named[name] ?? whole)
}

function textOf(html) {
  return html.replace(/<style[\s\S]*?<\/style>/gi, '').replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ').trim()
}
