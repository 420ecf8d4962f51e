// Who is signed in, and how to sign in and out: what both pages need.
export const catflap = new URL(document.body.dataset.catflap);

// session asks who is signed in, until when, and where to sign in and out.
export async function session() {
  const answer = await fetch(new URL('/_catflap/session', catflap), { credentials: 'include' });
  return answer.json();
}

// loginAddress begins a sign-in that comes back to this page. Catflap leads back to
// the origins that it lists, and to no other.
export function loginAddress(path = '/_catflap/login') {
  const to = new URL(path, catflap);
  to.searchParams.set('return_to', location.href);
  return to.href;
}

// signOut ends the session, and goes where Catflap says: to the provider, whose own
// session ends there.
export async function signOut() {
  const answer = await fetch(new URL('/_catflap/logout', catflap), {
    method: 'POST', credentials: 'include', headers: { Accept: 'application/json' },
  });
  if (!answer.ok) throw new Error(`signing out was answered ${answer.status}`);
  const { redirect } = await answer.json();
  location.assign(new URL(redirect, catflap));
}
