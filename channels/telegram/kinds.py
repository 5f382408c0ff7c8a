"""The kinds of Telegram updates and message fields, sorted by what they mean to us.

Source: https://core.telegram.org/bots/api#update and #message
"""

# updates in which nobody writes to us
NOTHING_WRITTEN = frozenset(
    """
    my_chat_member chat_member chat_join_request message_reaction message_reaction_count chat_boost
    removed_chat_boost poll poll_answer inline_query chosen_inline_result callback_query
    shipping_query pre_checkout_query purchased_paid_media deleted_business_messages
    business_connection
    """.split()  # noqa: SIM905
)
# messages that Telegram itself puts into a chat
SERVICE = frozenset(
    """
    new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo
    group_chat_created supergroup_chat_created channel_chat_created
    message_auto_delete_timer_changed migrate_to_chat_id migrate_from_chat_id pinned_message
    successful_payment refunded_payment users_shared chat_shared connected_website
    write_access_allowed passport_data proximity_alert_triggered boost_added chat_background_set
    forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened
    general_forum_topic_hidden general_forum_topic_unhidden video_chat_scheduled video_chat_started
    video_chat_ended video_chat_participants_invited
    """.split()  # noqa: SIM905
)
# fields beside the content: they say how a message came, not what was said
CIRCUMSTANCE = frozenset(
    """
    message_thread_id direct_messages_topic sender_chat sender_boost_count sender_business_bot
    business_connection_id is_topic_message is_automatic_forward reply_to_message external_reply
    quote reply_to_story reply_to_checklist_task_id via_bot has_protected_content is_from_offline
    is_paid_post media_group_id author_signature paid_star_count entities link_preview_options
    effect_id suggested_post_info caption_entities show_caption_above_media has_media_spoiler
    reply_markup forward_origin forward_from forward_from_chat forward_from_message_id
    forward_signature forward_sender_name forward_date sender_tag
    """.split()  # noqa: SIM905
)
