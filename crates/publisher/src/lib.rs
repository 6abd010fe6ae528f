//! Messages to SQS.
