//! Tasks (MCP tasks extension) that belong to the caller who started them.
//!
//! rmcp's manager gives a task to anyone who knows its id. Here other callers get the same error as
//! for a task that does not exist.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::{
    ErrorData,
    model::{DetailedTask, InputResponses, Task},
    task_manager::{TaskContext, TaskFuture, TaskManager, TaskOptions},
};

use crate::{
    caller::{Caller, Owner},
    in_progress::SHARES_PER_USER,
};

/// Maximum tasks of one caller that are remembered.
const MAX_TASKS: usize = 64;

/// Tasks and their owners. Cheap to clone.
#[derive(Clone, Default)]
pub struct OwnedTasks {
    manager: TaskManager,
    owners: Arc<Mutex<HashMap<String, Owner>>>,
}

impl OwnedTasks {
    /// Starts a task that belongs to the caller.
    ///
    /// # Errors
    /// An invalid request if the caller has 64 tasks already, or all clients of the user 256.
    pub fn spawn<F>(
        &self,
        caller: &Caller,
        options: TaskOptions,
        make_future: F,
    ) -> Result<Task, ErrorData>
    where
        F: FnOnce(TaskContext) -> TaskFuture,
    {
        let owner = caller.owner();
        let mut owners = self.owners();
        owners.retain(|id, _| self.manager.get_task(id).is_ok());
        let of_caller = owners.values().filter(|known| **known == owner).count();
        let of_user = owners.values().filter(|known| known.user() == owner.user()).count();
        if of_caller >= MAX_TASKS || of_user >= MAX_TASKS * SHARES_PER_USER {
            let reason = "too many tasks; wait until one of yours has ended and expired";
            return Err(ErrorData::invalid_request(reason, None));
        }
        let task = self.manager.spawn(options, make_future);
        owners.insert(task.task_id.clone(), owner);
        Ok(task)
    }

    /// Answers `tasks/get`.
    ///
    /// # Errors
    /// The caller has no task with this id.
    pub fn get(&self, caller: &Caller, id: &str) -> Result<DetailedTask, ErrorData> {
        self.manager_for(caller, id).get_task(id)
    }

    /// Answers `tasks/update`.
    ///
    /// # Errors
    /// The caller has no task with this id, or it does not wait for these answers.
    pub fn update(
        &self,
        caller: &Caller,
        id: &str,
        answers: InputResponses,
    ) -> Result<(), ErrorData> {
        self.manager_for(caller, id).update_task(id, answers)
    }

    /// Answers `tasks/cancel`.
    ///
    /// # Errors
    /// The caller has no task with this id.
    pub fn cancel(&self, caller: &Caller, id: &str) -> Result<(), ErrorData> {
        self.manager_for(caller, id).cancel_task(id)
    }

    /// The manager if the task belongs to the caller, else one that has no tasks.
    fn manager_for(&self, caller: &Caller, id: &str) -> TaskManager {
        if self.owners().get(id) == Some(&caller.owner()) {
            self.manager.clone()
        } else {
            TaskManager::new()
        }
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<String, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::CallToolResult;

    use super::*;
    use crate::caller::caller;

    fn start(tasks: &OwnedTasks, subject: &str) -> Result<Task, ErrorData> {
        start_through(tasks, subject, "c")
    }

    fn start_through(tasks: &OwnedTasks, subject: &str, client: &str) -> Result<Task, ErrorData> {
        tasks.spawn(&caller(subject, client, &[]), TaskOptions::default(), |_| {
            Box::pin(async { Ok(CallToolResult::success(Vec::new())) })
        })
    }

    #[tokio::test]
    async fn to_anyone_but_its_owner_a_task_does_not_exist() {
        let tasks = OwnedTasks::default();
        let id = start(&tasks, "nick").unwrap().task_id;
        assert!(tasks.get(&caller("nick", "c", &[]), &id).is_ok());
        let unknown = TaskManager::new().get_task(&id).unwrap_err();
        for stranger in [caller("eve", "c", &[]), caller("nick", "other", &[])] {
            assert_eq!(tasks.get(&stranger, &id).unwrap_err(), unknown);
            assert_eq!(tasks.cancel(&stranger, &id).unwrap_err(), unknown);
            assert!(tasks.update(&stranger, &id, InputResponses::new()).is_err());
        }
        assert!(tasks.cancel(&caller("nick", "c", &[]), &id).is_ok());
    }

    #[tokio::test]
    async fn a_caller_has_so_many_tasks_and_no_more() {
        let tasks = OwnedTasks::default();
        for _ in 0..MAX_TASKS {
            start(&tasks, "nick").unwrap();
        }
        assert!(start(&tasks, "nick").is_err());
        assert!(start(&tasks, "eve").is_ok());
    }

    #[tokio::test]
    async fn a_person_has_no_more_tasks_for_having_many_clients() {
        let tasks = OwnedTasks::default();
        for n in 0..MAX_TASKS * SHARES_PER_USER {
            start_through(&tasks, "nick", &(n / MAX_TASKS).to_string()).unwrap();
        }
        assert!(start_through(&tasks, "nick", "one more").is_err());
        assert!(start_through(&tasks, "eve", "one more").is_ok());
    }
}
