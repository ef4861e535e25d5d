use topic_match::{
    IndexLimits, RetainedIndex, RetainedLimits, Scratch, Step, SubscriberId, SubscriptionIndex, TopicFilter,
    TopicName,
};

/// A broker's two tables, and every way in.
pub struct Tables {
    subscriptions: SubscriptionIndex<u8>,
    retained: RetainedIndex<u32>,
    scratch: Scratch,
}

#[unsafe(no_mangle)]
pub fn no_std_topic_index(seed: u64) -> Tables {
    Tables {
        subscriptions: SubscriptionIndex::new(IndexLimits::default(), seed),
        retained: RetainedIndex::new(RetainedLimits::default(), seed),
        scratch: Scratch::default(),
    }
}

#[unsafe(no_mangle)]
pub fn no_std_topic_index_change(tables: &mut Tables, filter: TopicFilter<'_>, id: SubscriberId) -> usize {
    let added = tables.subscriptions.insert(filter, id, 1).is_ok();
    let removed = tables.subscriptions.remove(filter, id).is_some();
    usize::from(added) + usize::from(removed) + tables.subscriptions.remove_subscriber(id)
}

#[unsafe(no_mangle)]
pub fn no_std_topic_index_lookup(tables: &mut Tables, name: TopicName<'_>) -> u32 {
    let mut sum = 0;
    let complete = tables.subscriptions.visit(name, &mut tables.scratch, |id, value| sum += id.0 + u32::from(value));
    sum + u32::from(complete.is_ok())
}

#[unsafe(no_mangle)]
pub fn no_std_topic_index_retained(tables: &mut Tables, name: TopicName<'_>, filter: TopicFilter<'_>) -> u32 {
    let mut sum = u32::from(tables.retained.insert(name, 1).is_ok());
    let mut cursor = tables.retained.cursor(filter);
    let mut budget = 100;
    while let Step::Found { value, .. } = tables.retained.next(&mut cursor, &mut budget) {
        sum += value;
    }
    sum + tables.retained.remove(name).unwrap_or_default()
}
