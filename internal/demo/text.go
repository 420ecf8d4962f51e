package demo

const configText = `# The demo's configuration: what a real one looks like, in small.
version: 1
listen: {{.Listen}}
admin_listen: {{.Admin}}
origins: [http://{{.Site}}]      # the chat page comes from there

cat:
  url: http://{{.Cat}}
  api_key: {file: {{.KeyFile}}}
  api_key_ws: {file: {{.KeyFileWS}}}

handlers:
  - name: demo
    type: jwt
    issuer: http://{{.Site}}
    audiences: [{{.Audience}}]
    algorithms: [ES256]
    keys: {jwks_file: {{.JWKS}}}
    groups: groups

permissions:
  everyone: [base]
  grants:
    - from: [demo]
      groups: [cat-admins]
      allow: [admin]

log:
  format: text
  audit: all
`

const messageText = `
Catflap is open. Everything listens on this machine only and ends with Ctrl-C.

  Try it in the browser      http://{{.P.Site}}
  Catflap                    http://{{.P.Listen}}
  The Cat behind it          http://{{.P.Cat}}   (a stand-in; it refuses you without its key)
  Health, metrics            http://{{.P.Admin}}/readyz   http://{{.P.Admin}}/metrics
  The configuration          {{.Config}}

Paste these:

  # a token for each: alice is an administrator, bob is not
  ALICE=$(curl -s http://{{.P.Site}}/token/alice)
  BOB=$(curl -s http://{{.P.Site}}/token/bob)

  # alice chats
  curl -s http://{{.P.Listen}}/message -H "Authorization: Bearer $ALICE" -H 'Content-Type: application/json' -d '{"text":"my secret is 42"}' | cut -c1-240

  # bob does not see what alice said, whoever he says he is: a forged user_id changes nothing
  curl -s http://{{.P.Listen}}/memory/conversation_history -H "Authorization: Bearer $BOB" | cut -c1-240
  curl -s http://{{.P.Listen}}/memory/conversation_history -H "Authorization: Bearer $BOB" -H 'user_id: demo:alice' | cut -c1-240
  curl -s http://{{.P.Listen}}/memory/conversation_history -H "Authorization: Bearer $ALICE" | cut -c1-240

  # bob may not list everybody's memories; alice, an administrator, may
  curl -s http://{{.P.Listen}}/memory/collections/episodic/points -H "Authorization: Bearer $BOB" | cut -c1-240
  curl -s http://{{.P.Listen}}/memory/collections/episodic/points -H "Authorization: Bearer $ALICE" | cut -c1-240

  # nobody gets in without a token
  curl -s http://{{.P.Listen}}/message -d '{"text":"hi"}' | cut -c1-240

`
