use topic_match::{FilterLimits, Subscription, TopicFilter, TopicName};

/// What a device does with a subscription and a message, both straight from the wire.
#[unsafe(no_mangle)]
pub fn no_std_topic_match(filter: &[u8], name: &[u8], limits: &FilterLimits) -> bool {
    let (Ok(filter), Ok(name)) = (TopicFilter::from_bytes(filter), TopicName::from_bytes(name)) else {
        return false;
    };
    let Ok(subscription) = Subscription::parse(filter.as_str()) else {
        return false;
    };
    filter.check(limits).is_ok() && subscription.filter().matches(name)
}
