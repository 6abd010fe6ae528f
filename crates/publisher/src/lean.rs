//! What the SDK need not do anew at each request.
//!
//! Its endpoint rules come to the one endpoint that a connection has, and some of its interceptors
//! write headers that SQS does not need: an invocation's id and attempt, which are for the SDK's
//! own retries, and a user agent that tells of them. Together a tenth of what a request costs.

use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_sdk_sqs::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_sdk_sqs::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::disable_interceptor;

/// What the requests say of their sender: CloudTrail shows it.
const USER_AGENT: &str = concat!("sqs_sync/", env!("CARGO_PKG_VERSION"));

/// The endpoint of a connection, whatever is asked of it.
#[derive(Debug)]
pub(crate) struct OneEndpoint(Endpoint);

impl OneEndpoint {
    pub(crate) fn new(url: String) -> Self {
        Self(Endpoint::builder().url(url).build())
    }
}

impl ResolveEndpoint for OneEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}

/// Leaves out the headers that are not needed, and writes a short user agent.
#[derive(Debug)]
pub(crate) struct LeanHeaders;

impl Intercept for LeanHeaders {
    fn name(&self) -> &'static str {
        "LeanHeaders"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let state = config.interceptor_state();
        state.store_put(disable_interceptor::<InvocationIdInterceptor>("no retries of the SDK"));
        state.store_put(disable_interceptor::<RequestInfoInterceptor>("no retries of the SDK"));
        state.store_put(disable_interceptor::<UserAgentInterceptor>("a short one is written"));
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().insert("user-agent", USER_AGENT);
        Ok(())
    }
}
