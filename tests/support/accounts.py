"""Accounts at AWS, as an emulator that checks rights has them: users with a policy, roles to assume, queues."""

import json

from support.emulator import REGION
from support.running import fresh_name


# Of what is made with the keys "test", too.
FIRST_ACCOUNT = "000000000000"


class Account:
    def __init__(self, emulator, number):
        self.emulator, self.number = emulator, number
        self.sqs = self.client("sqs")
        self.iam = self.client("iam")

    def client(self, service):
        return self.emulator.client(service=service, key=self.number)

    def create_queue(self, name, **attributes):
        return self.emulator.create_queue(name, client=self.sqs, **attributes)

    def arn(self, queue):
        return f"arn:aws:sqs:{REGION}:{self.number}:{queue.name}"

    def url(self, queue):
        return f"{self.emulator.endpoint}/{self.number}/{queue.name}"

    def create_user(self, policy):
        """A user who may do what the policy says, and nothing else: his name and his keys."""
        name = fresh_name("user")
        self.iam.create_user(UserName=name)
        self.allow_user(name, policy)
        return name, keys_of(self.iam.create_access_key(UserName=name)["AccessKey"])

    def allow_user(self, name, policy):
        self.iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))

    def create_role(self, trusted, external_id, policy):
        """A role that a user of any account may assume who gives the external id; its ARN."""
        name = fresh_name("role")
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": trusted},
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}}}]}
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        self.iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
        return role["Arn"]


def assume(emulator, keys, role_arn, external_id, seconds=3600):
    """The keys of a session in the role. AWS's last 15 minutes at least, as the client would check."""
    sts = emulator.client(service="sts", key=keys["access_key_id"], secret=keys["secret_access_key"],
                          parameter_validation=False)
    session = sts.assume_role(RoleArn=role_arn, RoleSessionName="test", ExternalId=external_id,
                              DurationSeconds=seconds)["Credentials"]
    return {**keys_of(session), "session_token": session["SessionToken"]}


def keys_of(answer):
    """By the names of a user mapping's options."""
    return {"access_key_id": answer["AccessKeyId"], "secret_access_key": answer["SecretAccessKey"]}


def allow(*statements):
    """A policy of (actions, resources)."""
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in statements]}
