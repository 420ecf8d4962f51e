package demo

const configText = `# The demo's configuration: what a real one looks like, in small.
version: 1
listen: {{.Listen}}
admin_listen: {{.Admin}}
public_url: {{.Public}}

cat:
  url: http://{{.Cat}}
  credential: minted
  jwt_secret: {file: {{.JWTSecret}}}
  service_accounts:                # catflap cat-accounts create makes them at a real Cat
    - {id: {{.BaseAccount}}, permissions: ["STATUS:READ", "MEMORY:READ", "MEMORY:LIST", "CONVERSATION:*", "STATIC:READ"]}
    - {id: {{.AdminAccount}}, permissions: ["*"]}

handlers:
  - name: demo
    type: oidc
    title: The demo's provider
    issuer: {{.Issuer}}
    client_id: {{.ClientID}}
    client_secret: {file: {{.ClientSecret}}}
    scopes: [openid, profile, groups]
    audiences: [{{.Audience}}]       # of bearer tokens
    groups: groups

pages:
  home: /static/chat.html         # where people go who sign in without coming from a page

permissions:
  everyone: [base]
  grants:
    - from: [demo]
      groups: [cat-admins]
      allow: [admin]
  endpoints:                       # a plugin's, which looks at people's rights itself
    - {match: "GET /custom/rights", needs: everyone}
    - {match: "GET /custom/guarded", needs: everyone}

log:
  format: text
  audit: all
`

const messageText = `
Catflap is open. Everything listens on this machine only and ends with Ctrl-C.

  Chat in the browser        {{.P.Public}}/static/chat.html
  The admin panel            {{.P.Public}}/admin/   (for alice)
  The identity provider      {{.P.Issuer}}
  The Cat behind it          http://{{.P.Cat}}   (a stand-in; it refuses you without its key)
  Health, metrics            http://{{.P.Admin}}/readyz   http://{{.P.Admin}}/metrics
  The configuration          {{.Config}}

Open the first address and sign in as alice. Open it in a private window too, and
sign in there as bob. Chat, try what the page offers, sign out, also at the provider.

Or paste these:

  # a token for each: alice is an administrator, bob is not
  ALICE=$(curl -s {{.P.Issuer}}/token/alice)
  BOB=$(curl -s {{.P.Issuer}}/token/bob)

  # alice chats
  curl -s {{.P.Public}}/message -H "Authorization: Bearer $ALICE" -H 'Content-Type: application/json' -d '{"text":"my secret is 42"}' | cut -c1-240

  # bob does not see what alice said, no matter who he says he is: a forged user_id changes nothing
  curl -s {{.P.Public}}/memory/conversation_history -H "Authorization: Bearer $BOB" | cut -c1-240
  curl -s {{.P.Public}}/memory/conversation_history -H "Authorization: Bearer $BOB" -H 'user_id: demo:alice' | cut -c1-240
  curl -s {{.P.Public}}/memory/conversation_history -H "Authorization: Bearer $ALICE" | cut -c1-240

  # bob may not list everybody's memories; alice, an administrator, may
  curl -s {{.P.Public}}/memory/collections/episodic/points -H "Authorization: Bearer $BOB" | cut -c1-240
  curl -s {{.P.Public}}/memory/collections/episodic/points -H "Authorization: Bearer $ALICE" | cut -c1-240

  # what a plugin is told of their rights; it lets alice change settings, and not bob
  curl -s {{.P.Public}}/custom/rights -H "Authorization: Bearer $BOB" | cut -c1-240
  curl -s {{.P.Public}}/custom/guarded -H "Authorization: Bearer $BOB" | cut -c1-240
  curl -s {{.P.Public}}/custom/guarded -H "Authorization: Bearer $ALICE" | cut -c1-240

  # nobody gets in without a token
  curl -s {{.P.Public}}/message -d '{"text":"hi"}' | cut -c1-240

`
