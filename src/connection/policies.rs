//! What to paste into AWS: a role's trust policy, and policies that allow what is needed and no
//! more. docs/security.md shows these texts, word for word.

/// Who may assume the role, and by which external id.
pub fn trust(principal: &str, external_id: &str) -> String {
    format!(
        r#"{{
  "Version": "2012-10-17",
  "Statement": [
    {{
      "Effect": "Allow",
      "Principal": {{ "AWS": "{principal}" }},
      "Action": "sts:AssumeRole",
      "Condition": {{ "StringEquals": {{ "sts:ExternalId": "{external_id}" }} }}
    }}
  ]
}}"#
    )
}

/// What the role may do: send to these queues, each an ARN in which `*` stands for anything.
/// ListQueues knows no single queue.
pub fn permissions(queues: &[String]) -> String {
    let queues: Vec<String> = queues.iter().map(|arn| format!("        \"{arn}\"")).collect();
    let queues = queues.join(",\n");
    format!(
        r#"{{
  "Version": "2012-10-17",
  "Statement": [
    {{
      "Effect": "Allow",
      "Action": "sqs:SendMessage",
      "Resource": [
{queues}
      ]
    }},
    {{ "Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*" }}
  ]
}}"#
    )
}

/// What whoever assumes the role needs, where another account's administrators decide of it.
pub fn assumption(role: &str) -> String {
    format!(
        r#"{{
  "Version": "2012-10-17",
  "Statement": [
    {{ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "{role}" }}
  ]
}}"#
    )
}
