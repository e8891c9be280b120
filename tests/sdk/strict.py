"""The SDKs take what they get without a look; this takes it only where it fits their own types."""


def strict(message):
    """The message, once every field has the type that the SDK documents."""
    type(message).model_validate(message.model_dump(by_alias=True))
    return message
