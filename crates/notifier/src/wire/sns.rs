//! One Publish to SNS. Needs `sns:Publish`.

use aws_sdk_sns::Client;
use aws_sdk_sns::config::http::HttpResponse;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use publisher::root_cause;

use super::Taken;
use super::dial::addresses;
use crate::alert::Alert;
use crate::channel::{Destination, Sms, sms_text};
use crate::error::{FailureKind, Trouble};

pub(super) async fn publish(sms: &Sms, alert: &Alert) -> Result<Taken, Trouble> {
    if let Some(peer) = &sms.endpoint {
        addresses(peer).await?;
    }
    let client = Client::new(&sms.connection.sdk_config());
    let request = client.publish().message(sms_text(alert));
    let request = match &sms.destination {
        Destination::Topic(arn) => request.topic_arn(arn),
        Destination::Phone(number) => {
            // Delivered rather than cheap: SNS's other kind is for advertisements.
            let kind = MessageAttributeValue::builder()
                .data_type("String")
                .string_value("Transactional")
                .build()
                .map_err(|error| super::unmade(&error.to_string()))?;
            request.phone_number(number).message_attributes("AWS.SNS.SMS.SMSType", kind)
        }
    };
    match request.send().await {
        Ok(output) => Ok(Taken { status: Some(200), reference: output.message_id }),
        Err(error) => Err(trouble(&error)),
    }
}

fn trouble(error: &SdkError<PublishError, HttpResponse>) -> Trouble {
    let SdkError::ServiceError(answer) = error else {
        return Trouble::network(format!("no answer of SNS: {}", root_cause(error)));
    };
    let status = answer.raw().status().as_u16();
    let code = error.code().unwrap_or("no code");
    let trouble = if status == 429 || status >= 500 || code.contains("Throttl") {
        Trouble::passing(
            FailureKind::Unavailable,
            format!("SNS could not take the message ({code})"),
            "Look at the quotas of SNS, its monthly spend limit for SMS included.",
        )
    } else if status == 403 {
        // SNS's words about a signature quote what was signed, session token included.
        Trouble::lasting(
            FailureKind::Refused,
            format!("SNS refused the credentials, or the right to publish ({code})"),
            "Check the user mapping, and allow sns:Publish.",
        )
    } else {
        Trouble::lasting(
            FailureKind::Refused,
            format!("SNS refused the message ({code})"),
            "Check the phone number or the topic, and the region.",
        )
        .saying(error.message().unwrap_or_default().to_owned())
    };
    trouble.with_status(Some(status))
}
