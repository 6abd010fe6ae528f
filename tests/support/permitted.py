"""Users of the emulated AWS that may do no more than their policy says (an Emulator with AUTH)."""

import json

import boto3
from psycopg import sql

from support.emulator import REGION
from support.running import fresh_name

# The emulator asks for sqs:SendMessageBatch too, which at AWS is no right of its own.
SEND = "sqs:SendMessage*"


def keys_of_user(emulator, *actions):
    """The access key of a new user with the right to these actions."""
    iam = boto3.client("iam", region_name=REGION, endpoint_url=emulator.endpoint,
                       aws_access_key_id="test", aws_secret_access_key="test")
    user = fresh_name("user")
    iam.create_user(UserName=user)
    policy = {"Version": "2012-10-17",
              "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def come_as(database, access_key_id, secret_access_key):
    """The analyst's mapping has this key from now on."""
    database.admin.execute(sql.SQL(
        "ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (SET access_key_id {}, SET secret_access_key {})"
    ).format(access_key_id, secret_access_key))
