//! The store's contract: one suite, run on both stores. What differs by nature (files, a server that can be away) has
//! modules of its own.
#![allow(clippy::unwrap_used, reason = "a helper's panic ends the test as the test's own does")]

mod away;
mod backup;
mod backup_file;
mod claims;
mod clusters;
mod crash;
mod events;
mod examined;
mod following;
mod history;
mod home;
mod hosts;
mod indexes;
mod kept;
mod listed;
mod lists;
mod lost;
mod made;
mod migrating;
mod of_three;
mod opening;
mod people;
mod placing;
mod proxy;
mod rights;
mod sampled;
mod sick_file;
mod tokens;
mod watching;

/// Makes a test of each rule, on each store.
macro_rules! on_both_stores {
    ($($topic:ident :: $rule:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let home = crate::home::Home::sqlite();
                crate::$topic::$rule(&home).await;
            })*
        }
        mod mongo {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let home = crate::home::Home::mongo().await;
                crate::$topic::$rule(&home).await;
            })*
        }
    };
}

on_both_stores!(
    opening::the_pools_id_is_made_once,
    opening::two_who_make_a_store_at_once_make_one,
    opening::a_closed_store_is_unavailable_and_opens_again,
    crash::a_killed_process_leaves_a_state_to_go_on_from,
    hosts::a_host_is_kept_whole,
    hosts::hosts_are_listed_by_name,
    hosts::names_and_engines_are_unique,
    hosts::a_host_changes_only_from_the_version_that_was_seen,
    hosts::contact_is_apart_from_the_version,
    hosts::a_host_with_clusters_is_not_deleted,
    clusters::a_cluster_is_kept_whole_through_its_life,
    clusters::a_slot_holds_one_cluster,
    placing::of_many_placed_at_once_no_more_get_in_than_there_is_room,
    placing::the_very_same_placed_again_is_one,
    placing::nothing_is_placed_on_a_host_that_changed_or_went,
    clusters::a_move_from_an_old_version_or_phase_is_a_conflict,
    clusters::the_same_write_again_is_no_conflict,
    clusters::of_two_moves_at_once_one_wins,
    clusters::clusters_are_found_by_host_phase_user_and_flavor,
    clusters::lists_go_on_after_an_id,
    clusters::clusters_are_counted,
    clusters::proofs_change_no_version,
    clusters::offers_are_extended_within_their_proofs_and_never_shortened,
    clusters::a_move_keeps_later_proofs,
    clusters::an_ended_lease_is_in_the_history_before_its_cluster_goes,
    clusters::only_the_version_that_was_seen_vanishes,
    claims::a_claim_is_what_the_model_says_it_is,
    claims::one_who_holds_gets_the_same_unless_she_wants_another,
    claims::holding_another_flavor_is_no_reason_to_give_that,
    claims::any_of_the_flavors_will_do_and_no_other,
    claims::expired_and_withdrawn_offers_are_not_taken,
    claims::nothing_on_offer_is_said_so,
    claims::release_then_apply_works_at_once,
    claims::a_key_gives_the_same_lease_even_when_it_has_ended,
    claims::a_key_is_forgotten_after_a_day,
    claims::keys_are_each_users_own,
    claims::many_claimers_get_each_cluster_once,
    claims::more_claimers_than_clusters_leave_none_over,
    claims::one_who_applies_many_times_at_once_gets_one,
    claims::one_who_wants_many_at_once_gets_as_many,
    claims::one_key_many_times_at_once_gives_one,
    claims::claims_and_withdrawals_do_not_both_win,
    claims::nobody_holds_more_than_she_may,
    claims::many_at_once_hold_no_more_than_they_may,
    claims::who_is_at_her_limit_gets_what_she_holds_and_another_after_a_release,
    claims::metadata_may_have_any_key,
    history::lease_records_are_listed_newest_end_first,
    history::a_forgotten_record_stays_forgotten,
    events::events_are_listed_newest_first,
    events::events_are_found_by_host_and_cluster,
    events::the_oldest_events_go,
    events::the_event_comes_with_the_change,
    events::events_are_found_by_kind_actor_and_time,
    following::events_are_followed_in_the_order_of_their_appending,
    following::who_follows_few_of_many_goes_on_after_the_last_she_looked_at,
    following::who_follows_goes_on_with_the_oldest_that_is_left,
    following::of_many_who_append_at_once_none_is_lost_or_doubled_for_who_follows,
    kept::evidence_is_kept_whole_and_listed_latest_first,
    kept::the_oldest_evidence_goes,
    kept::counts_of_applies_add_up,
    kept::old_counts_of_applies_go,
    sampled::samples_are_kept_by_subject_and_minute,
    sampled::a_number_that_is_measured_again_takes_the_place_of_the_first,
    sampled::many_who_put_samples_of_one_subject_lose_none,
    sampled::old_samples_go_and_the_pools_stay_longer,
    sampled::an_hour_has_room_for_so_many_subjects,
    lists::clusters_are_listed_in_every_order_and_back,
    lists::clusters_are_found_by_every_filter_and_search,
    lists::who_pages_sees_everything_that_stays_once_while_others_come_and_go,
    lists::records_are_listed_in_every_order_and_found,
    lists::hosts_are_listed_in_every_order_and_found,
    lists::failures_are_listed_in_every_order_and_found,
    lists::a_claim_moves_a_cluster_in_the_list_by_change,
    people::operators_are_unique_by_name,
    people::an_operator_changes_only_from_the_version_that_was_seen,
    people::the_last_admin_stays_one,
    people::of_admins_who_remove_each_other_one_stays,
    people::an_operators_sessions_are_listed_and_ended_together,
    tokens::a_token_is_kept_whole_and_found_by_its_hash,
    tokens::tokens_are_listed_latest_first_and_by_user,
    tokens::a_token_is_ended_once,
    tokens::uses_of_tokens_only_move_on,
    people::sessions_are_kept_and_ended,
    people::a_session_that_was_ended_is_not_brought_back_by_its_use,
    people::the_lock_has_one_holder_and_a_growing_term,
    people::of_many_who_want_the_lock_one_gets_it,
    backup::a_restored_store_has_all_that_the_other_had,
    backup::a_backup_is_a_snapshot,
    backup::what_is_cut_off_altered_or_not_ours_is_refused_and_changes_nothing,
    backup::a_pool_is_replaced_only_when_that_is_said,
    backup::nothing_is_restored_while_somebody_leads,
    backup::every_table_is_in_a_backup_or_left_out_on_purpose,
    watching::every_kind_of_change_is_seen,
    watching::changes_by_another_process_are_seen,
    watching::a_watch_goes_on_from_its_cursor,
    watching::a_cursor_that_means_nothing_is_a_miss,
    watching::many_watch_at_once,
);
