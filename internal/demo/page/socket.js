// The socket to the Cat, and the session that opens it.

// newSession asks who is here. Nobody: it sends the browser to the login, which
// comes back to this page, and never answers.
export async function newSession() {
  const response = await fetch('/_catflap/session', { headers: { Accept: 'application/json' }, cache: 'no-store' });
  const session = await response.json();
  if (session.signed_in) return session;
  if (!session.login_url) throw new Error('Catflap does not say how to sign in');
  const login = new URL(session.login_url, location.href);
  login.searchParams.set('return_to', location.pathname);
  location.assign(login);
  return new Promise(() => {});
}

export class Chat {
  constructor({ hear, state, note, lost }) {
    Object.assign(this, { hear, state, note, lost, tries: 0, leaving: false });
  }

  connect() {
    this.state('connecting');
    // The path claims another person on purpose: it is not believed.
    const socket = new WebSocket(`${location.protocol.replace('http', 'ws')}//${location.host}/ws/whoever`);
    this.socket = socket;
    socket.addEventListener('open', () => this.state('connected'));
    socket.addEventListener('message', (event) => {
      this.tries = 0; // not at open: a socket that is closed at once would be tried for ever
      this.hear(JSON.parse(event.data));
    });
    socket.addEventListener('close', (event) => this.closed(event));
  }

  // closed: 4401 says that the session is over, any other code of Catflap's own
  // that trying again is no use. The rest is the network's, or an end of a Cat.
  async closed({ code, reason }) {
    this.lost();
    if (this.leaving) { // the page is about to go elsewhere, and the login would come between
      this.state('signed out');
      return;
    }
    if (code >= 4000 && code !== 4401) {
      this.state('closed');
      this.note(`Closed: ${reason || code}`);
      return;
    }
    this.state('not connected, trying again');
    const pause = Math.min(30_000, 500 * 2 ** this.tries) * (0.5 + Math.random() / 2);
    const over = code === 4401 && this.tries === 0;
    this.tries += 1;
    if (!over) await new Promise((resolve) => { setTimeout(resolve, pause); });
    // A refused handshake looks like a lost one from here, so that each try asks.
    await newSession().catch(() => {});
    this.connect();
  }

  // leave signs out by the function given. The socket ends meanwhile, and is not
  // opened again unless that fails.
  async leave(signOut) {
    this.leaving = true;
    try {
      await signOut();
    } catch (error) {
      this.leaving = false;
      if (this.socket.readyState > WebSocket.OPEN) this.connect();
      throw error;
    }
  }

  send(text) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify({ text }));
    return true;
  }
}
