"""What a plugin of the Cat 1.9.2 is told of a person, in an endpoint and in a hook."""

import json

from cat.auth.permissions import AuthPermission, AuthResource, check_permissions
from cat.mad_hatter.decorators import endpoint, hook


def believed(cat):
    return {"user_id": cat.user_id, "permissions": cat.user_data.permissions}


@endpoint.get("/rights")
def rights(cat=check_permissions(AuthResource.CONVERSATION, AuthPermission.READ)):
    return believed(cat)


@endpoint.get("/guarded")
def guarded(cat=check_permissions(AuthResource.SETTINGS, AuthPermission.WRITE)):
    return {"user_id": cat.user_id}


@hook(priority=100)
def fast_reply(reply, cat):
    if cat.working_memory.user_message_json.text == "rights":
        return {"output": json.dumps(believed(cat), default=str)}
    return reply
