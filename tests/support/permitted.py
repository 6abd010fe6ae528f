"""Users of the emulated AWS that may do no more than their policy says (an Emulator with AUTH)."""

from psycopg import sql

from support.accounts import FIRST_ACCOUNT, Account, allow

# The emulator asks for sqs:SendMessageBatch too, which at AWS is no right of its own.
SEND = "sqs:SendMessage*"


def keys_of_user(emulator, *actions):
    """The access key of a new user with the right to these actions."""
    _, keys = Account(emulator, FIRST_ACCOUNT).create_user(allow((list(actions), "*")))
    return keys["access_key_id"], keys["secret_access_key"]


def come_as(database, access_key_id, secret_access_key, **options):
    """The analyst's mapping has these keys from now on, and no other options."""
    options = {"access_key_id": access_key_id, "secret_access_key": secret_access_key, **options}
    database.admin.execute("DROP USER MAPPING FOR analyst SERVER sqs")
    database.admin.execute(sql.SQL("CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS ({})").format(
        sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), value) for name, value in options.items())))
