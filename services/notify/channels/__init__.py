"""How a message reaches a contact: each channel has one method, whose answer says whether to try again."""
