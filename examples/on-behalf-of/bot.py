"""A Telegram bot for a Cat behind Catflap, with the standard library alone.

Each person has a memory of their own: the key acts for others, and each question names
the person by the number that Telegram gives them, which nobody can choose.

    catflap key new --file keys.yaml --owner telegram --acts-for
    CATFLAP_URL=https://chat.example.com CATFLAP_KEY=... TELEGRAM_TOKEN=... python3 bot.py
"""

import json
import os
import urllib.error
import urllib.request


def ask(url, key, person, text):
    """Asks the Cat on behalf of a person, and returns its answer."""
    request = urllib.request.Request(
        url + "/message",
        data=json.dumps({"text": text}).encode(),
        headers={"Authorization": "Bearer " + key, "user_id": str(person), "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["content"]
    except urllib.error.HTTPError as refused:
        detail = json.load(refused)["detail"]
        raise RuntimeError(f"{refused.code} {detail['code']}: {detail['hint']}") from None


def telegram(token, method, **arguments):
    """Calls a method of Telegram's bot API."""
    request = urllib.request.Request(
        f"https://api.telegram.org/bot{token}/{method}",
        data=json.dumps(arguments).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["result"]


def main():
    url, key, token = os.environ["CATFLAP_URL"], os.environ["CATFLAP_KEY"], os.environ["TELEGRAM_TOKEN"]
    seen = 0
    while True:
        for update in telegram(token, "getUpdates", offset=seen + 1, timeout=50):
            seen = update["update_id"]
            message = update.get("message", {})
            if "text" in message and "from" in message:
                try:
                    text = ask(url, key, message["from"]["id"], message["text"])
                except (OSError, RuntimeError) as problem:
                    print(problem)
                    text = "The Cat can't answer now."
                telegram(token, "sendMessage", chat_id=message["chat"]["id"], text=text)


if __name__ == "__main__":
    main()
